//! The Suishen web interface (Yew, main thread).
