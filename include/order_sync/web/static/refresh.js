// Keep a part of a page fresh while somebody looks at it, without taking the focus or the place from who reads.
(function () {
  "use strict";
  var live = document.querySelector("[data-refresh-seconds]");
  var stale = document.querySelector("[data-stale]");
  if (!live) {
    return;
  }
  function refresh() {
    if (document.hidden || live.contains(document.activeElement)) {
      return;
    }
    fetch(window.location.href, { credentials: "same-origin", redirect: "error" })
      .then(function (answer) {
        if (!answer.ok) {
          throw new Error(String(answer.status));
        }
        return answer.text();
      })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-refresh-seconds]");
        if (!fresh) {
          throw new Error("another page");
        }
        var open = Array.prototype.map.call(live.querySelectorAll("details"), function (one) {
          return one.open;
        });
        live.replaceChildren.apply(live, Array.prototype.slice.call(fresh.childNodes));
        Array.prototype.forEach.call(live.querySelectorAll("details"), function (one, place) {
          one.open = Boolean(open[place]);
        });
        if (stale) {
          stale.hidden = true;
        }
      })
      .catch(function () {
        if (stale) {
          stale.hidden = false;
        }
      });
  }
  window.setInterval(refresh, Number(live.dataset.refreshSeconds) * 1000);
  document.addEventListener("visibilitychange", refresh);
})();
