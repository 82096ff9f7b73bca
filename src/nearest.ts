/** The candidate that `word` was probably meant to be; undefined when none is near. */
export const nearest = (word: string, candidates: readonly string[]): string | undefined =>
  candidates.find(c => c === word)
