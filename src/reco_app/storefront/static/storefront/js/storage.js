// This browser's own memory. Where storage is forbidden or full, the page's memory serves instead.

const spare = new Map();

function remembered(store) {
  return {
    read(name, otherwise) {
      try {
        const text = store().getItem(`multireco.${name}`) ?? spare.get(name);
        return text == null ? otherwise : JSON.parse(text);
      } catch {
        return otherwise;
      }
    },
    write(name, value) {
      const text = JSON.stringify(value);
      try {
        store().setItem(`multireco.${name}`, text);
      } catch {
        spare.set(name, text);
      }
    },
    forget(name) {
      spare.delete(name);
      try {
        store().removeItem(`multireco.${name}`);
      } catch {
        // Nothing was kept there.
      }
    },
  };
}

/** Gone with the tab. */
export const tab = remembered(() => sessionStorage);
/** Kept until the visitor clears it. */
export const browser = remembered(() => localStorage);
