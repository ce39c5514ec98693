// What can be known of the first element that fits; `at` is where a finger may touch it, null while it may not.
([selector]) => {
  const [, base, text] = selector.match(/^(.*?):has-text\('(.*)'\)$/) ?? [null, selector, ''];
  const element = [...document.querySelectorAll(base)].find((one) => one.textContent.includes(text));
  if (!element) return null;
  const style = getComputedStyle(element);
  const shown = () => element.getBoundingClientRect();
  let box = shown();
  const visible = box.width > 0 && box.height > 0 && style.visibility === 'visible';
  if (visible && !element.disabled) element.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});
  box = shown();
  const at = [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)];
  const top = visible ? document.elementFromPoint(...at) : null;
  return {
    text: element.textContent,
    value: element.value ?? '',
    attributes: Object.fromEntries([...element.attributes].map(({name, value}) => [name, value])),
    visible,
    at: visible && !element.disabled && top && (element.contains(top) || top.contains(element)) ? at : null,
  };
}
