import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PROTOCOLS } from './protocols.js'
import { parseRecordings } from './recording.js'
import { reportOf, type FileReport } from './report.js'
import { playAll } from './run.js'
import { ReplayServer } from './server.js'

const FOLDER = new URL('../../../shared/recordings/', import.meta.url)

/** @param only a part of the names of the files to play; all of them without it. */
async function play(only = ''): Promise<number> {
  const protocols = PROTOCOLS.filter(({ file }) => file.includes(only))
  if (protocols.length === 0) {
    console.error(`recordings: no file has "${only}" in its name. There are ${PROTOCOLS.map(({ file }) => file).join(', ')}.`)
    return 1
  }
  const missing = protocols.filter(({ file }) => !existsSync(new URL(file, FOLDER)))
  if (missing.length > 0) {
    console.error(`recordings: ${missing.map(({ file }) => file).join(' and ')} not found. They are expected in ../shared/recordings, beside the folder of the project (${fileURLToPath(FOLDER)}).`)
    return 1
  }
  // The recordings are served on this machine, which no proxy reaches.
  process.env['NO_PROXY'] = process.env['no_proxy'] = '127.0.0.1'
  const server = await ReplayServer.start()
  try {
    const files: FileReport[] = []
    for (const protocol of protocols) {
      const recordings = parseRecordings(await readFile(new URL(protocol.file, FOLDER), 'utf8'))
      files.push({ file: protocol.file, lines: await playAll(protocol, recordings, server) })
    }
    console.log(reportOf(files))
    return files.some(({ lines }) => lines.length === 0 || lines.some(line => line.wrong > 0)) ? 1 : 0
  } finally {
    await server.stop()
  }
}

process.exitCode = await play(process.argv[2])
