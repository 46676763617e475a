// A slider through named places: the browser's own range control, which has a name, keys and a spoken value.
function render({ model, el }) {
  const input = document.createElement("input");
  const words = document.createElement("output");
  input.type = "range";
  input.min = "0";
  input.step = "1";

  function tell() {
    const place = model.get("places")[Number(input.value)] ?? "";
    words.textContent = place;
    input.setAttribute("aria-valuetext", place);
  }

  function show() {
    input.setAttribute("aria-label", model.get("label"));
    input.max = String(Math.max(0, model.get("places").length - 1));
    input.value = String(model.get("index"));
    tell();
  }

  // While a hand drags, only the words follow; where it lets go (or a key was pressed) is what is asked for.
  input.addEventListener("input", tell);
  input.addEventListener("change", () => {
    model.set("index", Number(input.value));
    model.save_changes();
  });
  model.on("change:places", show);
  model.on("change:index", show);
  el.classList.add("vfdir-slider");
  el.append(input, words);
  show();
}

export default { render };
