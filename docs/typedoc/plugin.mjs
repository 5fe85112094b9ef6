import { MarkdownPageEvent } from 'typedoc-plugin-markdown';

/**
 * What TypeDoc's options do not say.
 *
 * @param {import('typedoc-plugin-markdown').MarkdownApplication} app
 */
export function load(app) {
  // Comments may link to a name that is exported on another page.
  app.converter.addUnknownSymbolResolver(({ symbolReference }, { project }) => {
    const [wanted] = symbolReference?.path ?? [];
    const exported = (project?.children ?? []).flatMap(({ children = [] }) => children);
    const target = exported.find(({ name }) => name === wanted?.path);
    return target && { target, caption: target.name };
  });
  // Where a name says everything, its cell is empty.
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    page.contents = page.contents?.replace(/\| - (?=\|)/g, '|  ');
  });
}
