//! Intervals and waits on the page's own timer: for redrawing, never for deciding; deadlines are the ledger's.

use js_sys::Promise;
use wasm_bindgen::{JsCast, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use yew::{Callback, hook, use_effect_with, use_force_update};

use super::page;

/// Waits.
pub async fn wait(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ = page::window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}

/// Calls `each` every so many milliseconds while the component is shown; 0 stops it.
#[hook]
pub fn use_interval(milliseconds: i32, each: Callback<()>) {
    use_effect_with((milliseconds, each), |(milliseconds, each): &(i32, Callback<()>)| {
        let each = each.clone();
        let closure = Closure::<dyn FnMut()>::new(move || each.emit(()));
        let number = (*milliseconds > 0)
            .then(|| {
                page::window()
                    .set_interval_with_callback_and_timeout_and_arguments_0(
                        closure.as_ref().unchecked_ref(),
                        *milliseconds,
                    )
                    .ok()
            })
            .flatten();
        move || {
            if let Some(number) = number {
                page::window().clear_interval_with_handle(number);
            }
            drop(closure);
        }
    });
}

/// Draws the component anew every so many milliseconds.
#[hook]
pub fn use_tick(milliseconds: i32) {
    let update = use_force_update();
    let each = yew::use_callback((), move |(), ()| update.force_update());
    use_interval(milliseconds, each);
}
