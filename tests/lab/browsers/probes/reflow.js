// What cannot be read or reached by scrolling up and down: every visible control and text of the page, of its open dialog, or
// of one part (a selector) that lies over the others.
(part) => {
  const SIDEWAYS = '.scroll, .timeline, .tabs, input, textarea, select'; // these may scroll sideways within themselves
  const root = document.documentElement;
  const found = [];
  const name = (node) => {
    const text = (node.textContent || node.getAttribute('aria-label') || '').replace(/\s+/g, ' ').trim().slice(0, 40);
    const near = node.closest('[id]');
    return `${node.tagName.toLowerCase()}${near ? ` in #${near.id}` : ''} “${text}”`;
  };
  const parents = (node) => {
    const all = [];
    for (let one = node.parentElement; one; one = one.parentElement) all.push(one);
    return all;
  };
  const spoken = (node) => [node, ...parents(node)].some((one) => getComputedStyle(one).clipPath === 'inset(50%)');
  const visible = (node) => !node.closest('.skip') && node.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !spoken(node);
  const related = (hit, node) => hit && (hit === node || node.contains(hit) || hit.contains(node) || hit.closest('label')?.contains(node));

  // What is left of a box between the edges of whatever cuts it off.
  const left = (box, node) => {
    const cut = {left: box.left, top: box.top, right: box.right, bottom: box.bottom};
    let fixed = getComputedStyle(node).position === 'fixed';
    for (const one of parents(node)) {
      const style = getComputedStyle(one);
      if (one === root || one === document.body) break;
      if (!fixed && style.overflow !== 'visible' && style.display !== 'contents') {
        const edge = one.getBoundingClientRect();
        cut.left = Math.max(cut.left, edge.left);
        cut.top = Math.max(cut.top, edge.top);
        cut.right = Math.min(cut.right, edge.right);
        cut.bottom = Math.min(cut.bottom, edge.bottom);
      }
      fixed ||= style.position === 'fixed';
    }
    cut.left = Math.max(cut.left, 0);
    cut.top = Math.max(cut.top, 0);
    cut.right = Math.min(cut.right, root.clientWidth);
    cut.bottom = Math.min(cut.bottom, innerHeight);
    return cut;
  };

  // Scrolls as a person can; a script can also scroll what a person cannot, and that is taken back and told.
  const scrolledBack = (node) => {
    let back = false;
    for (const one of [node, ...parents(node)]) {
      const style = getComputedStyle(one);
      const viewport = one === root;
      const hidden = viewport
        ? [root, document.body].some((each) => getComputedStyle(each).overflowY === 'hidden')
        : one !== document.body && (style.overflowY === 'hidden' || style.overflowX === 'hidden');
      if (hidden && (one.scrollTop > 1 || Math.abs(one.scrollLeft) > 1)) {
        one.scrollTo(0, 0);
        back = true;
      }
    }
    return back;
  };

  const look = (node, boxes, points) => {
    node.scrollIntoView({block: 'nearest', inline: 'nearest'});
    if (scrolledBack(node)) return 'is cut off';
    for (const box of boxes()) {
      if (box.width < 1 || box.height < 1) continue;
      const cut = left(box, node);
      const wide = cut.right - cut.left;
      const high = cut.bottom - cut.top;
      if (wide < Math.min(box.width, root.clientWidth) - 1.5) return `is cut off sideways (${Math.round(wide)} of ${Math.round(box.width)})`;
      if (high < box.height - 1.5 && box.height < innerHeight * 0.8) return `is cut off (${Math.round(high)} of ${Math.round(box.height)} high)`;
      for (const [x, y] of points) {
        const hit = document.elementFromPoint(cut.left + wide * x, cut.top + high * y);
        if (!related(hit, node)) return `is covered by ${hit ? name(hit) : 'nothing'}`;
      }
    }
    return null;
  };

  const scope = document.querySelector(part ?? 'dialog:modal') ?? document.body;
  const say = (node, wrong) => wrong && found.push(`${name(node)} ${wrong}`);
  const box = scope.getBoundingClientRect();
  if (scope.localName === 'dialog' && (box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1)) say(scope, 'is larger than the window');
  for (const node of scope.querySelectorAll('a[href], button, input, select, textarea, summary')) {
    if (node.type !== 'hidden' && visible(node)) say(node, look(node, () => [...node.getClientRects()], [[0.5, 0.5], [0.2, 0.25], [0.8, 0.75]]));
  }
  const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || node.closest('svg, select, textarea, noscript') || !visible(node)) continue;
    const boxes = () => {
      const range = document.createRange();
      range.selectNodeContents(text);
      return [...range.getClientRects()];
    };
    // Lines of a long text are looked at where they are, not all at once.
    const first = boxes()[0];
    const last = boxes().pop();
    const tall = first && last && last.bottom - first.top > innerHeight * 0.8;
    say(node, look(node, tall ? () => boxes().slice(0, 1) : boxes, [[0.5, 0.5]]));
  }
  for (const node of document.querySelectorAll('*')) {
    const sideways = node.scrollWidth > node.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(node).overflowX);
    if (sideways && visible(node) && !node.matches(SIDEWAYS)) say(node, `scrolls sideways (${node.scrollWidth} of ${node.clientWidth})`);
  }
  if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls sideways (${root.scrollWidth} of ${root.clientWidth})`);
  scrollTo(0, 0);
  return [...new Set(found)];
}
