// The options page: what the user may choose, and what the policy or the package has fixed.
import "./config.js";
import "./settings.js";

const api = globalThis.browser ?? globalThis.chrome;
const { SOURCES, isForOrigins, isServiceUrl, load, onChanged, pattern, readOrigin } =
  globalThis.openChatSettings;
const config = globalThis.openChatConfig;

const text = (name, value) => api.i18n.getMessage(name, value);
const form = document.getElementById("form");
const origins = document.getElementById("origins");
const origin = document.getElementById("origin");

const say = (words) => {
  document.getElementById("said").textContent = words;
};

const save = async (values) => {
  await api.storage.local.set(values);
  say(text("saved"));
};

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const button = (name, of, work) => {
  const made = element("button", { type: "button", textContent: text(name) });
  made.setAttribute("aria-label", `${text(name)}: ${of}`);
  made.addEventListener("click", work);
  return made;
};

/** Only a click may ask for a permission, so nothing is awaited before. */
const allow = async (wanted) => {
  if (!(await api.permissions.request({ origins: [pattern(wanted)] }))) return;
  const { crm_origins: listed, fixed } = await load();
  if (!fixed.has("crm_origins")) await save({ crm_origins: [...new Set([...listed, wanted])] });
  await show();
};

const remove = async (unwanted) => {
  await api.permissions.remove({ origins: [pattern(unwanted)] });
  const { crm_origins: listed } = await load();
  await save({ crm_origins: listed.filter((one) => one !== unwanted) });
};

const row = async (listed, isFixed) => {
  const made = element("li", {}, `${listed} `);
  if (isForOrigins) return made;
  const isAllowed = await api.permissions.contains({ origins: [pattern(listed)] });
  if (!isAllowed) made.append(button("allow", listed, () => allow(listed)));
  else if (!isFixed) made.append(button("remove", listed, () => remove(listed)));
  return made;
};

const showOrigins = async ({ crm_origins: listed, fixed }) => {
  const isFixed = fixed.has("crm_origins");
  document.getElementById("add").hidden = isFixed;
  const rows = await Promise.all(listed.map((one) => row(one, isFixed)));
  origins.replaceChildren(...rows);
};

/** Takes a setting out of the user's hands, and says so. */
const fix = (name, isFixed) => {
  for (const field of form.querySelectorAll(`[name="${name}"]:not(fieldset), [data-of="${name}"]`)) {
    field.disabled = isFixed;
  }
  document.getElementById(`${name}-fixed`)?.remove();
  if (!isFixed) return;
  const words = text(name === "crm_origins" && isForOrigins ? "packaged" : "fixed");
  const note = element("small", { id: `${name}-fixed`, textContent: ` ${words}` });
  form.querySelector(`[name="${name}"], [data-in="${name}"]`).after(note);
};

const show = async () => {
  const settings = await load();
  form.elements.url.value = settings.url;
  form.elements.source.value = settings.source;
  form.elements.reuse_tab.checked = settings.reuse_tab;
  for (const box of form.querySelectorAll("[data-of=schemes]")) {
    box.checked = settings.schemes.includes(box.value);
  }
  await showOrigins(settings);
  for (const name of ["url", "crm_origins", "schemes", "source", "reuse_tab"]) {
    fix(name, settings.fixed.has(name));
  }
};

const changed = {
  url: ({ value }) =>
    value && !isServiceUrl(value) ? say(text("not_a_service")) : save({ url: value }),
  source: ({ value }) => save({ source: value }),
  reuse_tab: ({ checked }) => save({ reuse_tab: checked }),
  schemes: () => {
    const boxes = [...form.querySelectorAll("[data-of=schemes]:checked")];
    return save({ schemes: boxes.map((box) => box.value) });
  },
};

const build = () => {
  document.documentElement.lang = api.i18n.getUILanguage();
  for (const place of document.querySelectorAll("[data-text]")) {
    place.textContent = text(place.dataset.text);
  }
  const sources = SOURCES.map((value) =>
    element("option", { value, textContent: value || text("source_of_the_link") }));
  form.elements.source.append(...sources);
  for (const scheme of config.schemes) {
    const box = element("input", { type: "checkbox", value: scheme });
    box.dataset.of = "schemes";
    document.getElementById("schemes").append(element("label", {}, box, ` ${scheme}`));
  }
};

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => changed[target.dataset.of ?? target.name]?.(target));
document.getElementById("allow").addEventListener("click", () => {
  const wanted = readOrigin(origin.value);
  if (!wanted) return say(text("not_an_origin"));
  origin.value = "";
  return allow(wanted);
});
build();
onChanged(show);
show();
