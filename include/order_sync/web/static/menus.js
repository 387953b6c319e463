// Close an open menu with Escape, with a click elsewhere, and when another one opens. Without this they open and close by their own button.
(function () {
  "use strict";
  var menus = Array.prototype.slice.call(document.querySelectorAll("details.drop"));
  function closeOthers(kept) {
    menus.forEach(function (menu) {
      if (menu !== kept) {
        menu.open = false;
      }
    });
  }
  document.addEventListener("keydown", function (event) {
    menus.forEach(function (menu) {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  });
  document.addEventListener("click", function (event) {
    closeOthers(event.target.closest("details.drop"));
  });
})();
