/**
 * Markdown as elements. The image is not trusted: what `marked` makes is cleaned by DOMPurify, which leaves neither
 * scripts, styles nor forms, and addresses are replaced by those that the page handles itself.
 */
import DOMPurify from "dompurify";
import { marked } from "marked";

/** How links and pictures of a document are resolved. */
export interface Links {
  /** The address of a picture of the image; undefined if there is none. */
  picture(path: string): Promise<string | undefined>;
  /** Shows a file of the image. */
  open(path: string): void;
}

const FORBIDDEN = [
  "style",
  "form",
  "input",
  "button",
  "textarea",
  "select",
  "iframe",
  "audio",
  "video",
  "svg",
  "math",
];

/** Where an address leads in the image: an absolute path; undefined if it leads elsewhere. */
function pathOf(address: string, base: string): string | undefined {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(address)) return undefined;
  const url = new URL(address, `http://image.invalid${base.split("/").map(encodeURIComponent).join("/")}`);
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    return undefined;
  }
}

/**
 * Renders a document.
 * @param base its path in the image
 */
export function renderMarkdown(text: string, base: string, links: Links): DocumentFragment {
  const html = marked.parse(text, { async: false, gfm: true });
  const fragment = DOMPurify.sanitize(html, {
    RETURN_DOM_FRAGMENT: true,
    USE_PROFILES: { html: true },
    FORBID_TAGS: FORBIDDEN,
    FORBID_ATTR: ["style", "class", "id", "name", "srcset", "background"],
    SANITIZE_NAMED_PROPS: true,
  });
  for (const anchor of fragment.querySelectorAll<HTMLAnchorElement>("a[href]")) {
    const address = anchor.getAttribute("href")!;
    const path = pathOf(address, base);
    if (path !== undefined) {
      anchor.setAttribute("href", "#");
      anchor.addEventListener("click", (event) => {
        event.preventDefault();
        links.open(path);
      });
    } else if (/^(?:https?|mailto):/i.test(address)) {
      anchor.target = "_blank";
      anchor.rel = "noopener noreferrer";
    } else anchor.removeAttribute("href");
  }
  for (const image of fragment.querySelectorAll("img")) {
    const path = pathOf(image.getAttribute("src") ?? "", base);
    // A picture from elsewhere would tell its server who reads the image.
    image.removeAttribute("src");
    if (path === undefined) continue;
    void links.picture(path).then((address) => {
      if (address !== undefined) image.src = address;
    });
  }
  return fragment;
}
