import type { Tool } from '../protocol/request.js'

/**
 * Gives a tool back as it is: what `execute` takes is then typed by `inputSchema`.
 *
 * @example
 * const weather = tool({
 *   name: 'weather',
 *   inputSchema: z.object({ city: z.string() }),
 *   execute: async ({ city }) => ({ city, degrees: 21 }),
 * })
 */
export function tool<Input>(tool: Tool<Input>): Tool<Input> {
  return tool
}
