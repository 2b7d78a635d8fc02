/** Below this share of its limit a meter spreads what is left. */
const LOW = 0.2

/** What a provider said is left of one limit until its reset, less what was sent since. */
export class Meter {
  #limit: number | undefined
  #left = Infinity
  #resetMs = Infinity
  #nextMs = 0
  #taken = 0

  /** False while nothing is known. */
  get known(): boolean {
    return this.#left !== Infinity
  }
  get left(): number {
    return this.#left
  }
  get resetMs(): number {
    return this.#resetMs
  }
  /** Everything taken so far: to tell later what was taken after a moment. */
  get taken(): number {
    return this.#taken
  }

  /** `remaining` was true when `taken` was `mark`. A limit without a reset says nothing about when. */
  learn(limit: number | undefined, remaining: number | undefined, resetMs: number, mark: number): void {
    if (remaining === undefined) return
    this.#limit = limit ?? this.#limit
    this.#left = remaining - (this.#taken - mark)
    this.#resetMs = resetMs
  }

  forget(): void {
    this.#left = this.#resetMs = Infinity
  }

  /** When `amount` may go: 0 means now, infinity with the news of the next answer. */
  freeAtMs(amount: number, nowMs: number): number {
    if (nowMs >= this.#resetMs) {
      // After a shortage a line waits, and would storm in: as much as the limit until an answer says more.
      this.#left = this.#low && this.#limit !== undefined ? this.#limit : Infinity
      this.#resetMs = Infinity
    }
    if (this.#left === Infinity) return 0
    // What is larger than the whole limit is for the provider to refuse.
    if (this.#left < (this.#limit === undefined ? amount : Math.min(amount, this.#limit))) return this.#resetMs
    return this.#low && this.#nextMs > nowMs ? this.#nextMs : 0
  }

  /** Takes `amount`; returns the pause that others keep after it. */
  take(amount: number, nowMs: number): number {
    const pauseMs = this.#low ? ((this.#resetMs - nowMs) * amount) / this.#left : 0
    this.#taken += amount
    this.#left -= amount
    this.#nextMs = nowMs + pauseMs
    return pauseMs
  }

  give(amount: number, pauseMs: number): void {
    this.#taken -= amount
    this.#left += amount
    this.#nextMs -= pauseMs
  }

  get #low(): boolean {
    return this.#limit !== undefined && this.#resetMs !== Infinity && this.#left <= LOW * this.#limit
  }
}
