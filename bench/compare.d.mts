export interface Gate {
  readonly what: string;
  readonly value: number;
  readonly most?: number;
  readonly exactly?: number;
}

export interface JudgedGate extends Gate {
  readonly table: string;
  readonly variant: string;
  readonly round?: number;
  readonly again?: boolean;
  readonly holds: boolean;
}

export interface Table<Context> {
  readonly title: string;
  readonly base?: string;
  readonly key: string;
  readonly lessIsBetter?: boolean;
  readonly minRounds?: number;
  readonly maxRounds?: number;
  readonly columns: readonly { readonly key: string; readonly title: string }[];
  readonly variants: readonly {
    readonly name: string;
    run(context: Context): Promise<Record<string, number>>;
    recount?(context: Context): Promise<Record<string, number>>;
    gates?(sample: Record<string, number>): readonly Gate[];
  }[];
}

export interface Result {
  readonly title: string;
  readonly base?: string | undefined;
  readonly columns: readonly { readonly key: string; readonly title: string }[];
  readonly rounds: number;
  readonly rows: readonly {
    readonly name: string;
    readonly medians: Record<string, number>;
    readonly ratio: number | undefined;
    readonly error: string | undefined;
    readonly samples: readonly Record<string, number>[];
  }[];
  readonly gates: readonly JudgedGate[];
}

export function compare<Context extends { close(): Promise<void> }>(
  table: Table<Context>,
  settings: {
    readonly rounds: number;
    readonly quick?: boolean;
    readonly context: () => Context;
  },
): Promise<Result>;

export function sentence(gate: JudgedGate): string;
