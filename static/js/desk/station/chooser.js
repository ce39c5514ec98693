/** The question before page B: which station is this? Says since when somebody sits there; the choice is this window's. */
import { boot, get, write } from "../../lib/dom.js";
import { chooseStation } from "../kept.js";
import { stationLabel } from "./seat.js";

const select = get("station", HTMLSelectElement);
for (const station of boot().stations) {
  const option = [...select.options].find((one) => one.value === station.extension);
  if (option) write(option, stationLabel(station));
}
const form = get("chooser", HTMLFormElement);
form.addEventListener("submit", () => chooseStation(select.value, String(new FormData(form).get("launch") ?? "")));
