
// The page works without this. With it the result follows the form, and URLs can be copied.
(() => {
  const form = document.getElementById("form");
  const result = document.getElementById("result");
  const said = document.getElementById("said");
  let timer, last = 0;

  // What changes with the form. The buttons between these parts stay, with their focus and a finger that is on them.
  const parts = ["guide-title", "guide", "programmer-title", "programmer", "url-title", "template", "notes", "sample", "judged", "access",
    "facts-title", "facts"];

  // What not every CRM has.
  const optional = ["template", "copy-url"];

  const copied = (id) => result.querySelector(`[data-said="${id}"]`);

  const filledIn = () => "?" + new URLSearchParams(new FormData(form));

  const reveal = (page) => page.querySelectorAll("[data-copies]").forEach((button) => { button.hidden = false; });

  const verdict = () => document.getElementById("verdict").textContent;

  // Replaces what differs, and tells which parts those are; the verdict only where it says something else.
  const update = (page) => {
    reveal(page);
    const before = verdict();
    const changed = parts.filter((id) => {
      const old = document.getElementById(id), fresh = page.getElementById(id);
      if (old.isEqualNode(fresh)) return false;
      old.replaceChildren(...document.importNode(fresh, true).childNodes);
      if (copied(id)) copied(id).textContent = "";
      return true;
    });
    optional.forEach((id) => { document.getElementById(id).hidden = page.getElementById(id).hidden; });
    const link = document.getElementById("try-it"), fresh = page.getElementById("try-it");
    link.setAttribute("href", fresh.getAttribute("href"));
    return changed.filter((id) => id !== "judged" || verdict() !== before);
  };

  const say = (changed) => {
    const news = [];
    if (changed.includes("template") || changed.includes("url-title")) news.push(document.getElementById("url-title").textContent + " has changed.");
    if (changed.includes("judged")) news.push(document.getElementById("verdict").textContent);
    if (news.length) said.textContent = news.join(" ");
  };

  // Whether the result follows the form, or a later call sees to it.
  const follow = async () => {
    const mine = ++last;
    const address = filledIn();
    clearTimeout(timer);
    timer = undefined;
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (mine !== last) return true;
      if (!answer.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== last) return true;
      say(update(page));
      history.replaceState(null, "", address);
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
      if (!document.execCommand("copy")) return "selected";
    }
    return "copied";
  };

  const followSoon = () => { clearTimeout(timer); timer = setTimeout(follow, 250); };
  form.addEventListener("input", followSoon);
  // Text fields fire "change" when they are left, and all of it has been "input" before.
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) followSoon(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Where a login has ended, say, the page as a whole is what leads to the next one.
    if (!await follow()) location.assign(filledIn());
  });
  result.addEventListener("click", async (event) => {
    const id = event.target.closest("[data-copies]")?.dataset.copies;
    if (!id) return;
    // What has been typed a moment ago belongs into what is copied.
    if (timer) await follow();
    const done = await copy(document.getElementById(id));
    const words = { copied: "Copied.", selected: "Selected: press Ctrl+C to copy.", ...copied(id).dataset };
    copied(id).textContent = words[done];
  });
  reveal(document);
})();
