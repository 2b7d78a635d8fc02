import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

/** Runs one program without a shell; resolves with its exit code and all it printed, never rejects. */
export function run(command, args, { cwd = process.cwd(), env = {}, timeoutMs = 180_000 } = {}) {
  const path = [join(cwd, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks = []
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.stdout.on('data', chunk => chunks.push(chunk))
    child.stderr.on('data', chunk => chunks.push(chunk))
    child.on('error', error => chunks.push(Buffer.from(`${error.message}\n`)))
    child.on('close', code => {
      clearTimeout(timer)
      const output = Buffer.concat(chunks).toString('utf8')
      resolve({ code: late ? 124 : (code ?? 1), output: late ? `${output}\nstopped after ${timeoutMs} ms\n` : output })
    })
  })
}

/**
 * Runs jobs, at most `width` at a time, each once everything in its `after` has ended; a job whose `after` failed is not
 * started. `start(job)` resolves with `{ code, output }`; `onEnd(job, result)` hears of each in the order they end.
 */
export async function schedule(jobs, start, onEnd, width = 2) {
  const results = new Map()
  const waiting = [...jobs]
  const running = new Set()
  const launch = job => {
    const begun = performance.now()
    const failed = (job.after ?? []).find(name => results.get(name)?.code !== 0)
    const work = failed === undefined ? start(job) : Promise.resolve({ code: 1, output: `not run: ${failed} failed\n` })
    const entry = work.then(result => {
      const ended = { ...result, ms: performance.now() - begun }
      results.set(job.name, ended)
      running.delete(entry)
      onEnd(job, ended)
    })
    running.add(entry)
  }
  while (waiting.length > 0 || running.size > 0) {
    const at = running.size < width ? waiting.findIndex(job => (job.after ?? []).every(name => results.has(name))) : -1
    if (at >= 0) launch(waiting.splice(at, 1)[0])
    else if (running.size > 0) await Promise.race(running)
    else throw new Error(`these wait for a part that does not exist: ${waiting.map(job => job.name).join(', ')}`)
  }
  return results
}

export const seconds = ms => `${(ms / 1000).toFixed(1)} s`
