import { Agent, request } from 'node:http'

export function create({ baseUrl, model, messages }) {
  const { hostname, port, pathname } = new URL(`${baseUrl}/chat/completions`)
  const agent = new Agent({ keepAlive: true })
  const post = (body, onResponse, reject) => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench', 'content-length': Buffer.byteLength(text) }
    request({ agent, hostname, port, path: pathname, method: 'POST', headers }, onResponse).on('error', reject).end(text)
  }
  return {
    chat: () =>
      new Promise((resolve, reject) => {
        post({ model, messages }, response => {
          const chunks = []
          response.on('data', chunk => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString()).choices[0].message.content)
            } catch (error) {
              reject(error)
            }
          })
        }, reject)
      }),
    stream: onText =>
      new Promise((resolve, reject) => {
        post({ model, messages, stream: true }, response => {
          let rest = ''
          response.setEncoding('utf8')
          response.on('data', chunk => {
            const events = (rest + chunk).split('\n\n')
            rest = events.pop()
            for (const event of events) {
              const data = event.slice(6)
              if (data === '[DONE]') continue
              const text = JSON.parse(data).choices[0]?.delta.content
              if (text) onText(text)
            }
          })
          response.on('error', reject)
          response.on('end', resolve)
        }, reject)
      }),
  }
}
