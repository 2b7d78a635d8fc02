import OpenAI from 'openai'

export function create({ baseUrl, model, messages }) {
  const client = new OpenAI({ apiKey: 'sk-bench', baseURL: baseUrl })
  return {
    chat: async () => (await client.chat.completions.create({ model, messages })).choices[0].message.content,
    async stream(onText) {
      for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
        const text = chunk.choices[0]?.delta.content
        if (text) onText(text)
      }
    },
  }
}
