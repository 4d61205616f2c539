import type { MessageTemplate } from './rule.js';

/**
 * Fills the placeholders of the three sentences. Throws on a placeholder without data: that is a defect of the rule, which its first
 * case shows.
 */
export function render(
  template: MessageTemplate,
  data: Readonly<Record<string, string | number>>,
): { what: string; why: string; fix: string } {
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = data[name];
      if (value === undefined) throw new Error(`message "${text}" needs data "${name}"`);
      return String(value);
    });
  return { what: fill(template.what), why: fill(template.why), fix: fill(template.fix) };
}
