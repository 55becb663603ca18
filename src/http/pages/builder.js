
// The page works without this. With it the result follows the form, and URLs can be copied.
(() => {
  const form = document.getElementById("form");
  const result = document.getElementById("result");
  const said = document.getElementById("said");
  let timer, last = 0;

  const showCopying = () => result.querySelectorAll("[data-copies]").forEach((button) => { button.hidden = false; });

  const filledIn = () => "?" + new URLSearchParams(new FormData(form));

  // Whether the result follows the form, or a later call sees to it.
  const follow = async () => {
    const mine = ++last;
    const address = filledIn();
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (mine !== last) return true;
      if (!answer.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== last) return true;
      result.replaceChildren(...document.importNode(page.getElementById("result"), true).childNodes);
      showCopying();
      history.replaceState(null, "", address);
      said.textContent = document.getElementById("verdict").textContent;
      return true;
    } catch {
      return mine !== last;
    }
  };

  const copy = async (source) => {
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Not on https, or not allowed: as people did before.
      getSelection().selectAllChildren(source);
      if (!document.execCommand("copy")) return "Selected: press Ctrl+C to copy.";
    }
    return "Copied.";
  };

  for (const event of ["input", "change"]) {
    form.addEventListener(event, () => { clearTimeout(timer); timer = setTimeout(follow, 250); });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    // Where a login has ended, say, the page as a whole is what leads to the next one.
    if (!await follow()) location.assign(filledIn());
  });
  result.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) said.textContent = await copy(document.getElementById(button.dataset.copies));
  });
  showCopying();
})();
