import type { Finding } from './types.js'

const better = (a: Finding, b: Finding): number => b.score - a.score || b.end - b.start - (a.end - a.start) || a.start - b.start

/** First index of `kept` whose finding ends after `start`. */
function position(kept: readonly Finding[], start: number): number {
  let low = 0
  let high = kept.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((kept[middle]?.end ?? 0) <= start) low = middle + 1
    else high = middle
  }
  return low
}

function settleCluster(cluster: Finding[], out: Finding[]): void {
  if (cluster.length === 1) {
    out.push(...cluster)
    return
  }
  cluster.sort(better)
  const kept: Finding[] = []
  for (const finding of cluster) {
    const i = position(kept, finding.start)
    const next = kept[i]
    if (next === undefined || next.start >= finding.end) kept.splice(i, 0, finding)
  }
  for (const finding of kept) out.push(finding)
}

/** Findings in order, none over another: the higher score wins, then the longer. */
export function settle(findings: Finding[]): readonly Finding[] {
  if (findings.length < 2) return findings
  findings.sort((a, b) => a.start - b.start || a.end - b.end)
  const out: Finding[] = []
  let cluster: Finding[] = []
  let end = -1
  for (const finding of findings) {
    if (finding.start >= end && cluster.length > 0) {
      settleCluster(cluster, out)
      cluster = []
    }
    cluster.push(finding)
    end = Math.max(end, finding.end)
  }
  settleCluster(cluster, out)
  return out
}
