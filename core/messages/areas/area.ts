/** @module The shape of one area's messages, both languages side by side. */

type Sentences = Readonly<Record<string, { readonly what: string; readonly next: string }>>;
type Texts = Readonly<Record<string, string>>;

interface Messages<Code extends string, Key extends string> {
  readonly errors: Readonly<Record<Code, { readonly what: string; readonly next: string }>>;
  readonly texts: Readonly<Record<Key, string>>;
}

export interface Area<Code extends string, Key extends string> {
  readonly en: Messages<Code, Key>;
  readonly fr: Messages<Code, Key>;
}

/** The compiler checks that French has exactly English's keys. */
export function area<const E extends Sentences, const T extends Texts>(
  en: { readonly errors: E; readonly texts: T },
  fr: NoInfer<Messages<Extract<keyof E, string>, Extract<keyof T, string>>>,
): Area<Extract<keyof E, string>, Extract<keyof T, string>> {
  return { en, fr };
}
