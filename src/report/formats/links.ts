/** Where the reports of one folder lead to each other. Types alone: programs that use the library need no drawing library for them. */

/** Where a report leads to beside itself, as addresses from where it stands. */
export interface ReportLinks {
  readonly index: string;
  readonly before?: ReportLink;
  readonly after?: ReportLink;
}

export interface ReportLink {
  readonly title: string;
  readonly href: string;
}
