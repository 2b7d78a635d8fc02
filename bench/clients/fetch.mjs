export function create({ baseUrl, model, messages }) {
  const url = `${baseUrl}/chat/completions`
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench' }
  const post = body => fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return {
    async chat() {
      const response = await post({ model, messages })
      const body = JSON.parse(await response.text())
      return body.choices[0].message.content
    },
    async stream(onText) {
      const response = await post({ model, messages, stream: true })
      const reader = response.body.getReader()
      const decoder = new TextDecoder()
      let rest = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        const events = (rest + decoder.decode(value, { stream: true })).split('\n\n')
        rest = events.pop()
        for (const event of events) {
          const data = event.slice(6)
          if (data === '[DONE]') continue
          const text = JSON.parse(data).choices[0]?.delta.content
          if (text) onText(text)
        }
      }
    },
  }
}
