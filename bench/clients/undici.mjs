import { Agent } from 'undici'

export function create({ baseUrl, model, messages }) {
  const { origin, pathname } = new URL(`${baseUrl}/chat/completions`)
  const agent = new Agent()
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench' }
  const post = (body, onData) =>
    new Promise((resolve, reject) => {
      agent.dispatch({ origin, path: pathname, method: 'POST', headers, body: JSON.stringify(body) }, {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData: (_, chunk) => onData(chunk),
        onResponseEnd: resolve,
        onResponseError: (_, error) => reject(error),
      })
    })
  return {
    async chat() {
      const chunks = []
      await post({ model, messages }, chunk => chunks.push(chunk))
      return JSON.parse(Buffer.concat(chunks).toString()).choices[0].message.content
    },
    async stream(onText) {
      const decoder = new TextDecoder()
      let rest = ''
      await post({ model, messages, stream: true }, chunk => {
        const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
        rest = events.pop()
        for (const event of events) {
          const data = event.slice(6)
          if (data === '[DONE]') continue
          const text = JSON.parse(data).choices[0]?.delta.content
          if (text) onText(text)
        }
      })
    },
  }
}
