// Follow the theme that the visitor chose in Airflow: it stands in this origin's storage, and changes while we are shown.
(function () {
  "use strict";
  function apply() {
    var chosen = null;
    try {
      chosen = window.localStorage.getItem("theme");
    } catch (refused) {
      // A browser that gives no storage to frames: the system's own preference remains.
    }
    if (chosen === "light" || chosen === "dark") {
      document.documentElement.dataset.theme = chosen;
    } else {
      delete document.documentElement.dataset.theme;
    }
  }
  apply();
  window.addEventListener("storage", apply);
})();
