/** Progress that says which step of how many it is about, so that nothing seems to begin again. */

/** How far a phase has come. */
interface PhaseProgress {
  phase: string;
  done: number;
}

/** What is added to it. */
export interface StepNumbers {
  /** The number of this step: 1 for the first. */
  step: number;
  /** How many steps there are; it grows where one comes that was not expected. */
  steps: number;
}

/**
 * Numbers the steps of some work. A phase whose count begins anew is another step.
 * @param onProgress told of every step, with its number
 * @param expected the phases in their order; a phase that comes twice is in it twice, and one that is skipped keeps its
 *   number
 * @returns what the work reports its progress to
 */
export function numberSteps<T extends PhaseProgress>(
  onProgress: (progress: T & StepNumbers) => void,
  expected: readonly T["phase"][],
): (progress: T) => void {
  const phases: string[] = [...expected];
  const begun = new Map<string, { at: number; done: number }>();
  let last = -1;
  return (progress) => {
    const { phase, done } = progress;
    let known = begun.get(phase);
    if (known === undefined || done < known.done) {
      let at = phases.indexOf(phase, last + 1);
      if (at < 0) {
        at = last + 1;
        phases.splice(at, 0, phase);
      }
      last = at;
      known = { at, done };
      begun.set(phase, known);
    }
    known.done = done;
    onProgress({ ...progress, step: known.at + 1, steps: phases.length });
  };
}
