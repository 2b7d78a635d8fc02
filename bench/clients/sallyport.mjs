import { compatible, fallback, Gateway } from '../../dist/index.js'

/** @param more options on top: see governed.mjs. */
export function create({ baseUrl, messages }, more = {}) {
  let records = 0
  // High enough to refuse nobody: what is measured is that they count.
  const limits = { concurrency: 1_000, requestsPerMinute: 10_000_000, tokensPerMinute: 10_000_000_000 }
  const options = {
    // One deployment has a price, so every call is priced; the other has none, so the table of prices is looked into as well.
    routes: {
      smart: fallback(
        compatible({ name: 'bench', baseUrl }, 'm', { apiKey: 'sk-bench', price: { input: 1, output: 2 }, limits }),
        compatible({ name: 'bench2', baseUrl }, 'm', { apiKey: 'sk-bench', price: { input: 1, output: 2 }, limits }),
      ),
    },
    ...more,
    log: batch => {
      records += batch.length
    },
    plugins: [{ name: 'bench-hook', open: () => ({ request: request => request, event: event => event }) }],
  }
  const gateway = new Gateway(options)
  const request = { model: 'smart', messages, maxOutputTokens: 1_000 }
  const who = { principal: { team: 'bench', user: 'ann' } }
  // A gateway of its own, so that all other figures are those of one without a cache.
  let caching
  let hits = 0
  return {
    /** Records the log sink was given. */
    records: () => records,
    chat: async () => (await gateway.chat(request, who)).text,
    /** The same call where the answer is known; the first one asks. */
    async hit() {
      caching ??= new Gateway({ ...options, cache: true })
      const { text, cached } = await caching.chat(request, who)
      if (cached === 'hit') hits++
      return text
    },
    hits: () => hits,
    async stream(onText) {
      for await (const event of await gateway.stream(request, who)) if (event.type === 'text-delta') onText(event.text)
    },
  }
}
