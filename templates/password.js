// Adds a button to each field for a password that shows what was typed. Without this script the fields work as they are.
"use strict";
for (const input of document.querySelectorAll("input[type=password]")) {
  const label = input.closest("label");
  const name = label.firstChild.textContent.trim().toLowerCase();
  const button = document.createElement("button");
  button.type = "button";
  button.className = "show";
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = `${shown ? "Hide" : "Show"} ${name}`;
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers offer to remember what was typed as text.
  input.form.addEventListener("submit", () => show(false));
  label.after(button);
}
