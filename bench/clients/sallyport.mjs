import { compatible, fallback, Gateway } from '../../dist/index.js'

export function create({ baseUrl, messages }) {
  let records = 0
  const gateway = new Gateway({
    // One deployment has a price, so every call is priced; the other has none, so the table of prices is looked into as well.
    routes: {
      smart: fallback(
        compatible({ name: 'bench', baseUrl }, 'm', { apiKey: 'sk-bench', price: { input: 1, output: 2 } }),
        compatible({ name: 'bench2', baseUrl }, 'm', { apiKey: 'sk-bench' }),
      ),
    },
    log: batch => {
      records += batch.length
    },
    plugins: [{ name: 'bench-hook', open: () => ({ request: request => request, event: event => event }) }],
  })
  const request = { model: 'smart', messages }
  return {
    /** Records the log sink was given. */
    records: () => records,
    chat: async () => (await gateway.chat(request)).text,
    async stream(onText) {
      for await (const event of await gateway.stream(request)) if (event.type === 'text-delta') onText(event.text)
    },
  }
}
