
// The page explains all without this; the browser takes and forgets links by a script alone.
(() => {
  const page = document.getElementById("handler");
  const said = document.getElementById("said");
  const { url } = page.dataset;
  const show = (element) => { element.hidden = false; };

  const act = (action, scheme, words) => {
    try {
      action.call(navigator, scheme, url);
      said.textContent = words;
    } catch {
      said.textContent = said.dataset.failed;
    }
  };

  const copy = async (source) => {
    getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Not on https, or not allowed: what is selected can be copied by hand.
      return said.dataset.selected;
    }
    return said.dataset.copied;
  };

  if (new URL(url, location.href).origin !== location.origin) show(document.getElementById("elsewhere"));
  else if (!navigator.registerProtocolHandler) show(document.getElementById("unsupported"));
  else {
    page.querySelectorAll("[data-takes]").forEach((button) => {
      button.addEventListener("click", () => act(navigator.registerProtocolHandler, button.dataset.takes, said.dataset.asked));
      show(button);
    });
    // Firefox has no such call, and its settings do it.
    if (navigator.unregisterProtocolHandler) page.querySelectorAll("[data-leaves]").forEach((button) => {
      button.addEventListener("click", () => act(navigator.unregisterProtocolHandler, button.dataset.leaves, said.dataset.undone));
      show(button);
    });
  }

  document.querySelectorAll("[data-copies]").forEach((button) => {
    button.addEventListener("click", async () => {
      const id = button.dataset.copies;
      document.querySelector(`[data-said="${id}"]`).textContent = await copy(document.getElementById(id));
    });
    show(button);
  });
})();
