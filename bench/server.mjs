// The upstream: an OpenAI-wire server in a process of its own. The parent says by message which shape streams have.
import { createServer } from 'node:http'
import { event, jsonAnswer, usageOf, wordAt } from './lib/wire.mjs'

const MAX_BODY = 64 * 1024
const STREAM = /"stream":\s*true/
const USAGE = /"include_usage":\s*true/
const answer = Buffer.from(jsonAnswer())
const role = event({ delta: { role: 'assistant', content: '', refusal: null } })
const words = Array.from({ length: 12 }, (_, i) => event({ delta: { content: wordAt(i) } }))
const stop = event({ delta: {}, finish_reason: 'stop' })
const done = Buffer.from('data: [DONE]\n\n')
const held = new Set()
let shape = { kind: 'burst', chunks: 8 }

function finish(response, chunks, withUsage) {
  response.write(stop)
  if (withUsage) response.write(event(undefined, usageOf(chunks)))
  response.end(done)
}

// One HTTP chunk for each event, as servers that flush send them, in packets as large as the socket takes: Node itself
// corks the socket until the end of the tick, while `response.cork()` would merge the chunks.
function burst(response, chunks, withUsage) {
  for (let i = 0; i < chunks; i++) response.write(words[i % words.length])
  finish(response, chunks, withUsage)
}

function paced(response, { chunks, everyMs }, withUsage) {
  let i = 0
  const timer = setInterval(() => {
    response.write(words[i++ % words.length])
    if (i < chunks) return
    clearInterval(timer)
    finish(response, chunks, withUsage)
  }, everyMs)
  response.on('close', () => clearInterval(timer))
}

function hold(response, withUsage) {
  response.write(words[0])
  const release = () => {
    held.delete(release)
    finish(response, 1, withUsage)
  }
  held.add(release)
  response.on('close', () => held.delete(release))
}

function stream(response, withUsage) {
  // A held stream gives its socket up, so that the next baseline holds no idle ones.
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...(shape.kind === 'hold' && { connection: 'close' }) }
  response.writeHead(200, headers)
  response.write(role)
  if (shape.kind === 'paced') paced(response, shape, withUsage)
  else if (shape.kind === 'hold') hold(response, withUsage)
  else burst(response, shape.chunks, withUsage)
}

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('latin1')
  request.on('data', chunk => {
    body += chunk
    if (body.length > MAX_BODY) request.destroy()
  })
  request.on('end', () => {
    if (STREAM.test(body)) return stream(response, USAGE.test(body))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
    response.end(answer)
  })
})
// Longer than any pause of a run: a pooled socket that the server closed would be measured as a reconnect.
server.keepAliveTimeout = 600_000

process.on('message', message => {
  if (message.shape !== undefined) shape = message.shape
  if (message.release === true) for (const release of [...held]) release()
  process.send({ id: message.id })
})
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
