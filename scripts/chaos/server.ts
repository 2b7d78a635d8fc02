import { spawn } from 'node:child_process'
import { createConnection, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// The shell outlives nobody: when this process ends, its input ends, and it takes the server with it.
const GUARD = '"$@" </dev/null >/dev/null 2>&1 & pid=$!; echo $pid; cat >/dev/null; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null'
const READY_MS = 20_000

/** A Redis of this run, which keeps what it acknowledged. */
export interface RedisServer {
  readonly port: number
  stop(): Promise<void>
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** One command, and the first line of the answer. */
function command(port: number, ...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('connect', () => void socket.write(`*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`))
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString('utf8').split('\r\n')[0] ?? '')
    })
  })
}

/** Everything that is acknowledged is on the disk: whoever starts a server in the same folder finds it. */
export async function startRedis(folder: string, port: number): Promise<RedisServer> {
  const args = ['redis-server', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--bind', '127.0.0.1', '--port', String(port), '--dir', folder]
  const shell = spawn('sh', ['-c', GUARD, 'sh', ...args], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const ended = new Promise<void>(resolve => void shell.once('exit', () => resolve()))
  const server = {
    port,
    stop: async () => {
      shell.stdin?.end()
      await ended
    },
  }
  const untilMs = Date.now() + READY_MS
  while ((await command(port, 'PING').catch(() => '')) !== '+PONG') {
    if (Date.now() > untilMs) {
      await server.stop()
      throw new Error('redis-server did not start: is it installed?')
    }
    await sleep(20)
  }
  return server
}
