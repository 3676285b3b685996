/** Progress with the number of its step and of all steps, so that no work seems to begin again. */

/** The progress of a phase. */
interface PhaseProgress {
  phase: string;
  done: number;
}

/** The fields that are added to it. */
export interface StepNumbers {
  /** The number of this step: 1 for the first. */
  step: number;
  /** The number of steps. It grows if an unexpected step comes. */
  steps: number;
}

/**
 * Numbers the steps of some work. A phase whose count begins anew is another step.
 * @param onProgress told of every step, with its number
 * @param expected the phases in their order; a phase that comes twice is in it twice, and a skipped phase keeps its
 *   number
 * @returns the function to which the work reports its progress
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
