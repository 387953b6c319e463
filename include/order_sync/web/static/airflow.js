// Open a link to a page of Airflow in Airflow itself, not inside the frame that it shows us in. Without this it opens in the frame.
(function () {
  "use strict";
  if (window.parent === window) {
    return;
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-airflow]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    try {
      window.parent.history.pushState(null, "", link.href);
      window.parent.dispatchEvent(new PopStateEvent("popstate", { state: null }));
      event.preventDefault();
    } catch (refused) {
      // Another site's frame: the link opens here.
    }
  });
})();
