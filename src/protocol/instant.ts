const SECOND_MS = 1_000

/** Instants as ISO 8601 in UTC, to the millisecond, as `toISOString` gives them; that takes a microsecond and a half, and most come soon after each other. */
export class Instants {
  #second = NaN
  #text = ''

  /** Throws `RangeError` past the years a `Date` has. */
  of(atMs: number): string {
    // As `Date` does: towards zero.
    const whole = Math.trunc(atMs)
    const second = Math.floor(whole / SECOND_MS)
    if (second !== this.#second) {
      this.#text = new Date(second * SECOND_MS).toISOString().slice(0, -4)
      this.#second = second
    }
    const ms = whole - second * SECOND_MS
    return `${this.#text}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
  }
}
