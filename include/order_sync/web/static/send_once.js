// A form that decides about money is sent once, however often its button is pressed: the server refuses the second anyway.
(function () {
  "use strict";
  Array.prototype.forEach.call(document.querySelectorAll("form[data-send-once]"), function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
    });
  });
  window.addEventListener("pageshow", function () {
    Array.prototype.forEach.call(document.querySelectorAll("form[data-sent]"), function (form) {
      delete form.dataset.sent;
    });
  });
})();
