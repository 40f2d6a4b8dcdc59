/** What the target asks of whoever keeps artifacts: a way for pods to their inputs, and for their outputs back. Known by attempt. */
import type { TaskDocument } from '../../../pipeline/model/task';
import type { AttemptId } from '../target';

/** What a pod is told, as the variables STEPWELL_TASK and STEPWELL_ACCESS. Neither is for anybody else. */
export interface Permission {
  task: string;
  access: string;
}

export interface DataListener {
  /** Its pod has asked for its task: the runner runs. */
  asked(id: AttemptId): void;
  /** Its result may be there: `committed` says. */
  committed(id: AttemptId): void;
}

/** Every call may be repeated, also by another process after a crash. */
export interface DataPath {
  /** Nobody tells when a pod has begun: its log is to be looked for. */
  readonly blind: boolean;
  /** Lets an attempt in. */
  open(task: TaskDocument): Promise<Permission>;
  /** Lets in again what an earlier process had let in; undefined when it is not known. */
  reopen(id: AttemptId): Promise<(Permission & { document: TaskDocument }) | undefined>;
  /** From now on nothing that it writes counts. */
  shut(id: AttemptId): void;
  /** Whether a result was committed; it is then in the attempt's folder as `result.json`. */
  committed(id: AttemptId): Promise<boolean>;
  /** What the attempt says it has to bring, where it can ask in no other way. */
  offered(id: AttemptId, answer: number, blobs: unknown): Promise<void>;
  listen(listener: DataListener): () => void;
  close(): Promise<void>;
}
