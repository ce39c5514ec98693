/** A clock that moves only when told. */
export class FakeClock {
  constructor() {
    this.at = 0;
    this.timers = [];
  }
  now = () => this.at;
  setTimeout = (run, ms) => {
    const timer = { run, due: this.at + ms };
    this.timers.push(timer);
    return timer;
  };
  clearTimeout = (timer) => {
    this.timers = this.timers.filter((one) => one !== timer);
  };
  pass(ms) {
    const end = this.at + ms;
    for (;;) {
      const next = this.timers.filter((one) => one.due <= end).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.clearTimeout(next);
      this.at = Math.max(this.at, next.due);
      next.run();
    }
    this.at = end;
  }
}
