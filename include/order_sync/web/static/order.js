// Two things that an order's page does by itself: it loads what only the store and Nextech know, and after a Send it looks
// again until the sync has ended. Without this the first is behind a link, and the second a refresh of the whole page.
(function () {
  "use strict";

  function loadLive() {
    var place = document.querySelector("[data-live]");
    var button = place && place.querySelector("a.button");
    if (!button) {
      return;
    }
    var waiting = document.createElement("p");
    waiting.className = "quiet";
    waiting.setAttribute("role", "status");
    waiting.textContent = "Asking the store and Nextech…";
    button.parentNode.hidden = true;
    button.parentNode.after(waiting);
    window
      .fetch(place.dataset.live, { headers: { Accept: "text/html" } })
      .then(function (answer) {
        if (!answer.ok) {
          throw new Error(String(answer.status));
        }
        return answer.text();
      })
      .then(function (text) {
        var piece = document.createElement("div");
        piece.innerHTML = text;
        var hint = place.querySelector("[data-before-live]");
        if (hint) {
          hint.remove();
        }
        button.parentNode.remove();
        waiting.replaceWith(piece);
      })
      .catch(function () {
        waiting.textContent = "It could not be read just now.";
        button.parentNode.hidden = false;
      });
  }

  function lookAgain() {
    var standing = document.getElementById("standing");
    if (!standing || !standing.dataset.again) {
      return;
    }
    window.setTimeout(function () {
      window
        .fetch(standing.dataset.again, { headers: { Accept: "text/html" } })
        .then(function (answer) {
          if (!answer.ok) {
            throw new Error(String(answer.status));
          }
          return answer.text();
        })
        .then(function (text) {
          var page = new DOMParser().parseFromString(text, "text/html");
          var news = page.getElementById("standing");
          if (news.dataset.again) {
            standing.dataset.again = news.dataset.again;
            if (news.textContent !== standing.textContent) {
              standing.replaceChildren.apply(standing, Array.from(news.childNodes));
            }
            lookAgain();
            return;
          }
          delete standing.dataset.again;
          standing.replaceChildren.apply(standing, Array.from(news.childNodes));
          document.getElementById("rest").replaceWith(page.getElementById("rest"));
          loadLive();
        })
        .catch(function () {
          // The login has ended, or the server is away: the page stays as it is.
        });
    }, Number(standing.dataset.seconds) * 1000);
  }

  loadLive();
  lookAgain();
})();
