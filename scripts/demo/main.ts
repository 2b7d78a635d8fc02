import { demo } from './demo.js'

// A proxy could not reach what runs on this machine.
process.env['no_proxy'] = [process.env['no_proxy'] || process.env['NO_PROXY'], '127.0.0.1'].filter(Boolean).join(',')

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
// Whoever reads through a pipe may leave before the end, as `head` does.
process.stdout.on('error', () => stop.abort())

process.exitCode = await demo({ args: process.argv.slice(2), env: process.env, out: process.stdout, signal: stop.signal })
