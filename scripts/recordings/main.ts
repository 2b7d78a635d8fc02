import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { EMBEDDINGS, playEmbeddings } from './embeddings.js'
import { PROTOCOLS } from './protocols.js'
import { parseRecordings, type Recording } from './recording.js'
import { reportOf, type FileReport } from './report.js'
import { playAll } from './run.js'
import { ReplayServer } from './server.js'

const FOLDER = new URL('../../../shared/recordings/', import.meta.url)

/** @param only a part of the names of the files to play; all of them without it. */
async function play(only = ''): Promise<number> {
  const asked = <P extends { readonly file: string }>(all: readonly P[]): P[] => all.filter(({ file }) => file.includes(only))
  const [answers, embeddings] = [asked(PROTOCOLS), asked(EMBEDDINGS)]
  const files = [...answers, ...embeddings].map(({ file }) => file)
  if (files.length === 0) {
    console.error(`recordings: no file has "${only}" in its name. There are ${[...PROTOCOLS, ...EMBEDDINGS].map(({ file }) => file).join(', ')}.`)
    return 1
  }
  const missing = files.filter(file => !existsSync(new URL(file, FOLDER)))
  if (missing.length > 0) {
    console.error(`recordings: ${missing.join(' and ')} not found. They are expected in ../shared/recordings, beside the folder of the project (${fileURLToPath(FOLDER)}).`)
    return 1
  }
  // The recordings are served on this machine, which no proxy reaches.
  process.env['NO_PROXY'] = process.env['no_proxy'] = '127.0.0.1'
  const server = await ReplayServer.start()
  try {
    const reports: FileReport[] = []
    const linesOf = async (file: string): Promise<Recording[]> => parseRecordings(await readFile(new URL(file, FOLDER), 'utf8'))
    for (const protocol of answers) reports.push({ file: protocol.file, lines: await playAll(protocol, await linesOf(protocol.file), server) })
    for (const protocol of embeddings) reports.push({ file: protocol.file, lines: await playEmbeddings(protocol, await linesOf(protocol.file), server) })
    console.log(reportOf(reports))
    return reports.some(({ lines }) => lines.length === 0 || lines.some(line => line.wrong > 0)) ? 1 : 0
  } finally {
    await server.stop()
  }
}

process.exitCode = await play(process.argv[2])
