/** Gives what is told while some work goes on, as it is told; then ends, or throws, as the work did. */
export async function* during<T>(work: (tell: (item: T) => void) => Promise<void>): AsyncGenerator<T, void> {
  const told: T[] = []
  let wake: (() => void) | undefined
  let ended = false
  const working = work(item => {
    told.push(item)
    wake?.()
  }).finally(() => {
    ended = true
    wake?.()
  })
  // The reader may leave between two items, and then nobody hears of a failure.
  working.catch(() => undefined)
  for (;;) {
    while (told.length > 0) yield told.shift() as T
    if (ended) return await working
    await new Promise<void>(resolve => (wake = resolve))
  }
}
