// The queue's ticks: one box for all of them, how many are ticked, and no second sending of the same form.
(function () {
  "use strict";
  var form = document.getElementById("ticked");
  if (!form) {
    return;
  }
  var boxes = Array.prototype.slice.call(document.querySelectorAll('input[name="case"][form="ticked"]'));
  var said = form.querySelector(".bulk-count");
  var all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Tick all cases of this page");
  document.querySelector("thead .tick").appendChild(all);

  function count() {
    var ticked = boxes.filter(function (box) {
      return box.checked;
    }).length;
    said.textContent = ticked ? "With the " + ticked + " ticked:" : "With the ticked cases:";
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  all.addEventListener("change", function () {
    boxes.forEach(function (box) {
      box.checked = all.checked;
    });
    count();
  });
  boxes.forEach(function (box) {
    box.addEventListener("change", count);
  });
  window.addEventListener("pageshow", count);
  count();
})();
