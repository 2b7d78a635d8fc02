/**
 * Whether a key may ask for a model: its `models` are exact names, or hold one `*` that stands for any run of characters,
 * also none. A key without `models` may ask for every model.
 */
export function allowsModel({ models }: { readonly models?: readonly string[] }, model: string): boolean {
  return models === undefined || models.some(pattern => matches(pattern, model))
}

function matches(pattern: string, model: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === model
  // Head and tail may not share characters: "a*a" is not "a".
  return model.length >= pattern.length - 1 && model.startsWith(pattern.slice(0, star)) && model.endsWith(pattern.slice(star + 1))
}
