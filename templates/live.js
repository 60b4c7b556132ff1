// Keeps the line #live up to date. Without this script the line says what was true when the page was made.
"use strict";
const line = document.getElementById("live");
if (line) {
  const source = new EventSource(line.dataset.events);
  source.addEventListener("alive", (event) => { line.textContent = event.data; });
  source.addEventListener("ended", (event) => {
    source.close();
    const link = document.createElement("a");
    link.href = line.dataset.signIn;
    link.textContent = "Sign in again";
    line.replaceChildren(event.data + " ", link);
    // What they would end, only someone who is signed in can end.
    for (const button of document.querySelectorAll("form[action*='/sessions/'] button")) button.disabled = true;
  });
  // A browser comes again by itself after a lost connection, but not after an error page.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) line.textContent = "Reload the page to see whether this session goes on.";
  });
}
