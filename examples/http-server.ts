// A chat endpoint on node:http: the stream goes out as a web Response, in the chunks that OpenAI clients read.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { Gateway, GatewayError, type ChatStream } from 'sallyport'
import { scripted } from 'sallyport/testing'

const upstream = scripted({ answers: { text: 'Streams end where their reader leaves.', chunkMs: 5 } })
const gateway = new Gateway({ routes: { smart: upstream } })
const STATUS: Partial<Record<string, number>> = { invalid_request: 400, model_not_found: 404, rate_limited: 429, timeout: 504 }

async function answer(body: string): Promise<Response> {
  let asked: { readonly messages?: unknown; readonly model?: unknown }
  try {
    asked = JSON.parse(body) as typeof asked
  } catch {
    return Response.json({ error: { code: 'invalid_request', message: 'The body must be JSON.' } }, { status: 400 })
  }
  try {
    // What comes from outside is checked by the gateway itself.
    const stream: ChatStream = await gateway.stream({ model: asked.model as 'smart', messages: asked.messages as string })
    return stream.toResponse({ format: 'openai' })
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    return Response.json({ error: { code: error.code, message: error.message } }, { status: STATUS[error.code] ?? 502 })
  }
}

const server = createServer(async (req, res) => {
  const chunks: Buffer[] = []
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk)
  const response = await answer(Buffer.concat(chunks).toString('utf8'))
  res.writeHead(response.status, Object.fromEntries(response.headers))
  const out = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  // A client that goes away ends the upstream, too.
  res.on('close', () => out.destroy())
  out.on('error', () => res.destroy()).pipe(res)
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const ask = (body: object) => fetch(url, { method: 'POST', body: JSON.stringify(body) })

console.log((await (await ask({ model: 'smart', messages: 'Hi' })).text()).split('\n\n').slice(0, 3).join('\n'), '...')
const wrong = await ask({ model: 'smrt', messages: 'Hi' })
console.log(wrong.status, await wrong.text())
const leaver = (await ask({ model: 'smart', messages: 'Hi' })).body?.getReader()
await leaver?.read()
await leaver?.cancel()
for (let round = 0; round < 100 && upstream.open > 0; round++) await new Promise(resolve => setTimeout(resolve, 5))
console.log('still open upstream:', upstream.open)
server.close()
await gateway.close()
