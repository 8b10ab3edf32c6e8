//! The camera: a stream into a video element, frames out of it as pictures for the scanner's worker, one in flight.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlVideoElement, ImageBitmap, MediaStream, MediaStreamConstraints, MediaStreamTrack};

use super::page;

/// A running camera; stopped when dropped.
pub struct Camera {
    stream: MediaStream,
    video: HtmlVideoElement,
}

/// Why there is no picture: the key of its sentence.
pub type Refusal = &'static str;

impl Camera {
    /// Opens the camera that looks away from the person and shows it in `video`.
    pub async fn open(video: HtmlVideoElement) -> Result<Self, Refusal> {
        let devices = page::window().navigator().media_devices().map_err(|_| "camera-none")?;
        let wanted = Object::new();
        let set = |name: &str, value: &JsValue| Reflect::set(&wanted, &name.into(), value).is_ok();
        let _ = set("facingMode", &"environment".into())
            && set("width", &1280.into())
            && set("height", &960.into());
        let constraints = MediaStreamConstraints::new();
        constraints.set_video(&wanted);
        constraints.set_audio(&JsValue::FALSE);
        let asked = devices.get_user_media_with_constraints(&constraints).map_err(|_| "camera-none")?;
        let stream: MediaStream = JsFuture::from(asked)
            .await
            .map_err(|error| refusal(&error))?
            .dyn_into()
            .map_err(|_| "camera-none")?;
        video.set_src_object(Some(&stream));
        video.set_muted(true);
        if let Ok(playing) = video.play() {
            let _ = JsFuture::from(playing).await;
        }
        Ok(Self { stream, video })
    }

    /// The next frame as a picture; none while there is none.
    pub async fn frame(&self) -> Option<ImageBitmap> {
        next_frame(&self.video).await;
        if self.video.video_width() == 0 {
            return None;
        }
        let made = page::window().create_image_bitmap_with_html_video_element(&self.video).ok()?;
        JsFuture::from(made).await.ok()?.dyn_into().ok()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        for track in self.stream.get_tracks() {
            if let Ok(track) = track.dyn_into::<MediaStreamTrack>() {
                track.stop();
            }
        }
        self.video.set_src_object(None);
    }
}

/// A picture file as a picture for the scanner.
pub async fn picture(file: &web_sys::File) -> Option<ImageBitmap> {
    let made = page::window().create_image_bitmap_with_blob(file).ok()?;
    JsFuture::from(made).await.ok()?.dyn_into().ok()
}

fn refusal(error: &JsValue) -> Refusal {
    match Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string()).as_deref() {
        Some("NotAllowedError" | "SecurityError") => "camera-denied",
        Some("NotReadableError" | "AbortError") => "camera-busy",
        _ => "camera-none",
    }
}

/// Resolves when the video shows a new frame; after a moment where the browser can't tell.
async fn next_frame(video: &HtmlVideoElement) {
    let promise = Promise::new(&mut |resolve, _| {
        let called = Closure::once_into_js({
            let resolve = resolve.clone();
            move || {
                let _ = resolve.call0(&JsValue::NULL);
            }
        });
        let tell = Reflect::get(video, &"requestVideoFrameCallback".into())
            .ok()
            .and_then(|tell| tell.dyn_into::<Function>().ok());
        // A camera that stands still must not hold the loop for ever.
        let _ = page::window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 400);
        match tell {
            Some(tell) => {
                let _ = tell.call1(video, &called);
            }
            None => {
                let _ = page::window()
                    .set_timeout_with_callback_and_timeout_and_arguments_0(called.unchecked_ref(), 100);
            }
        }
    });
    let _ = JsFuture::from(promise).await;
}
