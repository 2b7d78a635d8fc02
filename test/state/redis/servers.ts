import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One server of this test run. */
export interface Server {
  readonly port: number
  /** Its process, not that of the shell around it. */
  readonly pid: number
  stop(): Promise<void>
}

// The shell outlives nobody: when this process ends, its input ends, and it takes the server with it.
const GUARD = '"$@" </dev/null >/dev/null 2>&1 & pid=$!; echo $pid; cat >/dev/null; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null'
const QUIET = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--enable-debug-command', 'yes']

export const hasServer = spawnSync('redis-server', ['--version']).status === 0

export async function freePort(most = 65_535): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const probe = createServer()
      probe.once('error', reject)
      probe.listen(0, '127.0.0.1', () => {
        const address = probe.address()
        probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
      })
    })
    if (port <= most) return port
  }
}

/** Waits until `ask` gives something, for a bounded time. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, mostMs = 10_000): Promise<T> {
  const until = Date.now() + mostMs
  for (;;) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    if (Date.now() > until) throw new Error(`${what}: not within ${mostMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Asks a server without any client of the tests. */
export function cli(port: number, ...command: string[]): string {
  const { stdout, status } = spawnSync('redis-cli', ['-p', String(port), ...command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`redis-cli ${command[0]} failed`)
  return stdout.trim()
}

async function launch(port: number, folder: string, args: readonly string[]): Promise<Server> {
  const shell: ChildProcess = spawn('sh', ['-c', GUARD, 'sh', 'redis-server', ...args, '--port', String(port)], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<void>(resolve => shell.once('exit', () => resolve()))
  const pid = await new Promise<number>(resolve => shell.stdout?.once('data', (data: Buffer) => resolve(Number(data))))
  const server = {
    port,
    pid,
    stop: async () => {
      shell.stdin?.end()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await eventually(`redis-server on ${port}`, async () => (/PONG|NOAUTH/.test(cli(port, 'ping')) ? true : undefined)).catch(async (error: unknown) => {
    await server.stop()
    throw error
  })
  return server
}

const folderOf = (kind: string) => mkdtempSync(join(tmpdir(), `sallyport-${kind}-`))

export async function startServer({ port, args = [] }: { readonly port?: number; readonly args?: readonly string[] } = {}): Promise<Server> {
  const folder = folderOf('redis')
  return launch(port ?? (await freePort()), folder, [...QUIET, '--dir', folder, ...args])
}

/** Three masters that share the slots. */
export async function startCluster(): Promise<readonly Server[]> {
  const nodes: Server[] = []
  try {
    for (let i = 0; i < 3; i++) nodes.push(await startServer({ args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000', '--cluster-port', String(await freePort())] }))
    const [first] = nodes
    for (const [i, { port }] of nodes.entries()) {
      cli(port, 'cluster', 'set-config-epoch', String(i + 1))
      cli(port, 'cluster', 'addslotsrange', String(Math.ceil((i * 16_384) / 3)), String(Math.ceil(((i + 1) * 16_384) / 3) - 1))
    }
    for (const { port } of nodes.slice(1)) cli(first?.port ?? 0, 'cluster', 'meet', '127.0.0.1', String(port), /tcp:.*|@(\d+)/.exec(cli(port, 'cluster', 'nodes'))?.[1] ?? '')
    for (const { port } of nodes) {
      await eventually('the cluster', async () => {
        const info = cli(port, 'cluster', 'info')
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3') && info.includes('cluster_size:3') ? true : undefined
      })
    }
    return nodes
  } catch (error) {
    await Promise.all(nodes.map(node => node.stop()))
    throw error
  }
}

/** A sentinel that watches `master` under the name `main`. */
export async function startSentinel(master: Server): Promise<Server> {
  const folder = folderOf('sentinel')
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, `sentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds main 2000\n`)
  return launch(await freePort(), folder, [file, '--sentinel', '--bind', '127.0.0.1', '--dir', folder])
}
