import type { Adapter } from '../../protocol/ports.js'
import { withBearer } from '../common/credential.js'
import { generateAdapter, withApiKey } from '../gemini/adapter.js'
import type { Server } from '../gemini/encode.js'
import { vertexEmbed } from './embed.js'
import { modelPath } from './place.js'

const SERVER: Server = {
  path: model => modelPath('google', model),
  // Older models know no ids and refuse them.
  callIds: ({ version }) => version === undefined || version >= 300,
  jsonSchema: () => true,
}

/** Gemini and what else is published by Google, in a project. */
export const googleAdapter: Adapter = generateAdapter({ server: SERVER, provider: 'google-vertex', authorize: withBearer, embed: vertexEmbed })

/** The same with an API key and no project. */
export const expressAdapter: Adapter = generateAdapter({ server: SERVER, provider: 'google-vertex', authorize: withApiKey })
