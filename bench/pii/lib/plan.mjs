/** How much of everything, for `--quick` and for a full run. `...Ms` bound what one detector may take, because some take minutes. */
export function planOf(quick) {
  return {
    recordsEach: quick ? 70 : 700,
    secretsEach: quick ? 6 : 30,
    sourceBytes: quick ? 5_000_000 : 30_000_000,
    sourceMs: quick ? 6_000 : 60_000,
    digitsEach: quick ? 1_000 : 10_000,
    digitLengths: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    digitsMs: quick ? 5_000 : 60_000,
    proseCharacters: 1_500_000,
    codeBytes: 1_500_000,
    speed: { rounds: quick ? 5 : 11, budgetMs: quick ? 3_000 : 12_000 },
    adversarial: { timeoutMs: quick ? 1_000 : 5_000, budgetMs: quick ? 10_000 : 400_000, ownBudgetMs: quick ? 90_000 : 600_000 },
    streams: { count: quick ? 1_000 : 100_000, proseTexts: quick ? 40 : 400 },
    watchdogMs: quick ? 360_000 : 3_600_000,
  }
}
