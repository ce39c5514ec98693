/**
 * How much picture the network bears: size, frame rate and bitrate are capped together, because a large picture on few
 * bits freezes where a small one moves. Pure: a reading in, a step out. The browser's own estimate decides how much may be
 * sent; the step only keeps what is asked of the encoder in proportion to it.
 */

/** @typedef {"balanced" | "detail" | "motion"} Preference */
/**
 * @typedef {object} Step
 * @property {number} long the longer side of the picture, in pixels
 * @property {number} rate frames a second, at most
 * @property {number} kbits cap of the bitrate
 * @property {number} need kbit/s below which this step freezes
 */

/** From the best to the last. Between two, `need` is such that a step whose cap is used up can see the next one:
 * browsers estimate no more than one and a half times what passes.
 * @type {Readonly<Record<Preference, readonly Readonly<Step>[]>>} */
export const STEPS = Object.freeze({
  balanced: [
    { long: 1280, rate: 30, kbits: 1500, need: 700 },
    { long: 960, rate: 30, kbits: 900, need: 420 },
    { long: 640, rate: 30, kbits: 500, need: 210 },
    { long: 480, rate: 30, kbits: 250, need: 105 },
    { long: 320, rate: 24, kbits: 130, need: 65 },
    { long: 240, rate: 15, kbits: 60, need: 0 },
  ],
  detail: [
    { long: 1280, rate: 15, kbits: 1500, need: 500 },
    { long: 1280, rate: 8, kbits: 700, need: 300 },
    { long: 960, rate: 6, kbits: 400, need: 170 },
    { long: 640, rate: 5, kbits: 220, need: 95 },
    { long: 480, rate: 4, kbits: 120, need: 60 },
    { long: 320, rate: 4, kbits: 60, need: 0 },
  ],
  motion: [
    { long: 960, rate: 30, kbits: 1500, need: 600 },
    { long: 640, rate: 30, kbits: 800, need: 350 },
    { long: 480, rate: 30, kbits: 450, need: 190 },
    { long: 320, rate: 30, kbits: 250, need: 105 },
    { long: 240, rate: 30, kbits: 130, need: 65 },
    { long: 160, rate: 20, kbits: 60, need: 0 },
  ],
});
/** Where a new connection begins: a picture within the first moments everywhere, a larger one as soon as the network shows it. */
export const BEGIN = 2;

/** Readings in a row before the step goes down, unless less than half of what it needs is left; how much more than a
 * step needs is wanted before it is gone to. */
const BAD = 2;
const MARGIN = 1.25;
/** Milliseconds of good readings before the step goes up: at first, and the most after attempts that failed. */
const CLIMB = 2_000;
const CLIMB_MOST = 60_000;
/** An attempt that is taken back within this time has failed. */
const TRIAL = 12_000;
/** A scene that moves little fills nothing, and the browser's estimate then never grows: it is tried, after so long. */
const TRY = 8_000;
/** Share of packets lost above which nothing larger is tried, and above which a step is given up without an estimate. */
const LOSSY = 0.05;
const VERY_LOSSY = 0.2;

/**
 * @typedef {object} State
 * @property {number} step index in STEPS
 * @property {number} bad readings in a row that this step does not bear
 * @property {number} since when the good readings began
 * @property {number} climbed when the step last went up
 * @property {number} patience milliseconds of good readings before the next attempt
 */

/** @param {number} now milliseconds @param {number} [step] @returns {State} */
export function begin(now, step = BEGIN) {
  return { step, bad: 0, since: now, climbed: -TRIAL, patience: CLIMB };
}

/** The step after a reading. Pure.
 * @param {Readonly<State>} state
 * @param {{at: number, fresh: boolean, kbits: number, frames: number, available: number | null, loss: number | null, limited: string}} read
 * @param {Preference} [preference]
 * @returns {State} */
export function adapt(state, read, preference = "balanced") {
  const steps = STEPS[preference];
  const here = steps[state.step];
  if (!here || !read.fresh) return { ...state, since: read.at };
  const starved = read.available !== null ? read.available < here.need : (read.loss ?? 0) > VERY_LOSSY;
  if (starved) {
    const collapsed = read.available !== null && read.available < here.need / 2;
    if (state.bad + 1 < BAD && !collapsed) return { ...state, bad: state.bad + 1, since: read.at };
    return { ...state, ...down(state, read, steps), bad: 0, since: read.at };
  }
  const above = steps[state.step - 1];
  if (!above || read.limited === "cpu" || (read.loss ?? 0) > LOSSY) return { ...state, bad: 0, since: read.at };
  const waited = read.at - state.since;
  const room = read.available === null || read.available >= above.need * MARGIN;
  const idle = read.limited === "none" && read.frames >= here.rate / 2 && read.kbits < here.kbits * 0.8;
  const seen = room && waited >= state.patience;
  const tried = idle && waited >= Math.max(TRY, state.patience);
  if (!seen && !tried) return { ...state, bad: 0 };
  return { ...state, step: state.step - 1, bad: 0, since: read.at, climbed: read.at };
}

/** @param {Readonly<State>} state @param {{at: number, available: number | null}} read @param {readonly Readonly<Step>[]} steps */
function down(state, read, steps) {
  const bears = steps.findIndex((step) => read.available !== null && step.need <= read.available);
  const failed = read.at - state.climbed < TRIAL;
  return {
    step: Math.min(steps.length - 1, Math.max(state.step + 1, bears)),
    patience: failed ? Math.min(CLIMB_MOST, state.patience * 2) : Math.max(CLIMB, state.patience / 2),
  };
}

/** What the encoder is told. A picture smaller than the step is left as it is.
 * @param {Readonly<State>} state @param {{width?: number | undefined, height?: number | undefined} | null} taken what the camera gives
 * @param {Preference} [preference]
 * @returns {{maxBitrate: number, maxFramerate: number, scaleResolutionDownBy: number}} */
export function caps(state, taken, preference = "balanced") {
  const steps = STEPS[preference];
  const step = /** @type {Step} */ (steps[Math.min(state.step, steps.length - 1)]);
  const long = Math.max(taken?.width ?? 0, taken?.height ?? 0) || 1280;
  return {
    maxBitrate: step.kbits * 1000,
    maxFramerate: step.rate,
    scaleResolutionDownBy: Math.max(1, Math.round((long / step.long) * 100) / 100),
  };
}
